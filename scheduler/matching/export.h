/* Put EXPORT before every function that Python calls; all others stay inside the library. */
#ifndef CHUNGTAY_EXPORT_H
#define CHUNGTAY_EXPORT_H

#if defined(_WIN32)
#define EXPORT __declspec(dllexport)
#else
#define EXPORT __attribute__((visibility("default")))
#endif

#endif
