"""`lab compare`: tables of questions with one answer for each variant, every one seen by a test."""

from labkit.tables import Cell, Conclusion, Row, Table, Tables, Variant

__all__ = ["Cell", "Conclusion", "Row", "Table", "Tables", "Variant"]
