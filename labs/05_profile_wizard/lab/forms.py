from django import forms

from labkit.base.form_fields import PrintableText, WholeNumber


class WizardForm(forms.Form):
    """A form with all three questions. Each page shows one question, and sends only its answer."""

    name = PrintableText(label="Your name", max_length=40)
    age = WholeNumber(label="Your age", min_value=0, max_value=150)
    gf = PrintableText(label="Your good friend's name", max_length=40)


QUESTIONS = list(WizardForm.base_fields)  # ["name", "age", "gf"]
STEPS = [*QUESTIONS, "results"]
ANSWER_FIRST = "Answer this question first: its answer is missing or has expired."
ALTERED = "Ignored, because it was altered in the browser: {}."
UNREADABLE = "Could not read the answers: they were altered, have expired or came from elsewhere."


def label(field):
    return WizardForm.base_fields[field].label


def check_answers(loaded):
    """Return the valid answers, and a message about invalid ones (None if there are none).

    loaded: what the carrier loaded, {field: text}, or None if it could not read the answers.
    """
    if not isinstance(loaded, dict):  # it is None, or data from another program
        return {}, UNREADABLE
    form = WizardForm(loaded)
    form.is_valid()  # puts the valid answers into cleaned_data, even if others are missing
    # Carriers store text, also for the age, which is a number here.
    answers = {field: str(value) for field, value in form.cleaned_data.items()}
    altered = [label(field) for field in QUESTIONS if field in loaded and field not in answers]
    if altered:
        return answers, ALTERED.format(", ".join(altered))
    return answers, None
