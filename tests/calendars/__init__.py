"""Feeds as strangers read them."""
