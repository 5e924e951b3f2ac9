"""Widgets that know nothing of an explorer: a figure, a tree, a table, a number, a piece of code."""
