"""Tests of reading tables that need no database."""
