#!/usr/bin/env python3
"""Runs the site."""

import sys

if __name__ == "__main__":
    # FIXME: check the arguments
    sys.exit(len(sys.argv))
