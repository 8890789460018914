"""Everything a lab may import: settings helpers, form fields, cookie names, the session lock."""
