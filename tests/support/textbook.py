"""A project with two carts from a textbook, for faults that no version of a lab can show.

A textbook version (labs/textbook) is a lab with one fault. This project checks no input: a visitor
can store any text in any entry of the session, which lab 04's form prevents. Tests of Django's
sessions need a project that is not a lab, and bench/burst.py measures this project and the labs.
"""

from django.http import HttpResponse
from django.template import engines
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

TABLE = """
<main>{% if goods %}<table><tbody>
{% for name, quantity in goods.items %}
<tr><th>{{ name }}</th> <td>{{ quantity }}</td></tr>
{% endfor %}
</tbody></table>{% else %}no items{% endif %}</main>
"""


def page(request, **context):
    return HttpResponse(engines["django"].from_string(TABLE).render(context, request))


def add_to_cookies(request):
    response = HttpResponse("added")
    response.set_cookie(request.POST["name"], request.POST["quantity"], 180)
    return response


def add_to_session(request):
    request.session[request.POST["name"]] = request.POST["quantity"]  # B32
    return HttpResponse("added")


urlpatterns = [
    path("cookies/add/", csrf_exempt(add_to_cookies)),
    path("cookies/", lambda request: page(request, goods=request.COOKIES)),
    path("session/add/", csrf_exempt(add_to_session)),
    path("session/", lambda request: page(request, goods=request.session)),
]
