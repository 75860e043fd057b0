"""Scanners behind one port: a stream of bytes goes in, a verdict comes out."""
