"""Stands in for the vendor's package in the process of a bridge."""
