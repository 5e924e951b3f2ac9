"""Widgets that work without an explorer: a figure, a tree, a table, a number field, a code panel."""
