"""A carrier brings the answers from one page to the next. Each module here is one.

urls.py hands one to each route. All four have the same functions: load, step_url, form_fields,
lead_to and forget.
"""
