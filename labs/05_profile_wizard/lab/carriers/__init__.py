"""A carrier takes the answers from one page to the next. Each module in this package is a carrier.

REDIRECTS
    Whether the answers survive a redirect from one step to the next.
load(request)
    Return the answers in the request, {field: text}, or None if they cannot be read.
hidden_fields(request, answers)
    Return the hidden fields that every form needs, {name: value}. Two carriers need a CSRF token
    and two do not, so get_token() is called here, and not {% csrf_token %} in the template.
save(request, response, answers, next_step)
    Store these answers. The response leads to the next step.
forget(request, response)
    Forget all answers. The response leads to the first step.
"""
