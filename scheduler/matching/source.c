/* Carries into the library what it was made from; Python refuses a library of other sources. */
#include "export.h"

EXPORT const char *chungtay_source(void);

EXPORT const char *chungtay_source(void) { return SOURCE_HASH; }
