"""Chung Tay: live online lessons by volunteer teachers for classes far away."""
