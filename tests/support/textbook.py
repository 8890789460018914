"""Two carts as a whole textbook project has them, for what no version of a lab can show.

A textbook version (labs/textbook) is one fault in a lab. Here nothing is checked at all: a visitor
writes any text under any key of the session, which lab 04's form for numbers prevents. Tests of
Django's sessions need a project without a lab, and bench/burst.py measures one beside the labs.
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
