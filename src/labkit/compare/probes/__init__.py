"""The questions of `lab compare`: each does something to a lab and says what came of it.

The test that asks one compares what it saw with what labs/compare.toml says.
"""

from labkit.compare.probes.base import Question, agree, each, question, thorough_question

__all__ = ["Question", "agree", "each", "question", "thorough_question"]
