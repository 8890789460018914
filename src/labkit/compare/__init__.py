"""`lab compare`: tables of questions with one tested answer per variant."""

from labkit.comparison_tables import Cell, Conclusion, Question, Table, Tables, Variant

__all__ = ["Cell", "Conclusion", "Question", "Table", "Tables", "Variant"]
