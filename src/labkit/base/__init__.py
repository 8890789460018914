"""Everything that labs may import, such as settings, form fields and the session lock."""
