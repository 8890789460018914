"""What every lab may import: settings helpers, form fields, cookie names, the session lock,
pages."""
