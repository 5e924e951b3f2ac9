"""The views: one file each. See `actwidget.explorer.registry`."""
