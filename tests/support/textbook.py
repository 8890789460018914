"""Pages as textbooks have them, each with a mistake of labs/claims.toml; no lab is written so."""

from django import forms
from django.http import HttpResponse
from django.template import engines
from django.urls import path, re_path
from django.views.decorators.csrf import csrf_exempt

FORM = "<form method='post'>{% csrf_token %}<input name='name'><input name='quantity'></form>"
TABLE = """
<main>{% if goods %}<table><tbody>
{% for name, quantity in goods.items %}
<tr><th>{{ name }}</th> <td>{{ quantity }}</td></tr>
{% endfor %}
</tbody></table>{% else %}no items{% endif %}</main>
"""


class ItemForm(forms.Form):
    name = forms.CharField()
    quantity = forms.IntegerField()  # B27: no min_value


def page(request, source, **context):
    return HttpResponse(engines["django"].from_string(source).render(context, request))


def count_in_a_cookie(request):
    visits = int(request.COOKIES.get("count", 0)) + 1  # B12
    response = HttpResponse(visits)
    response.set_cookie("count", visits)  # B41
    return response


def count_in_the_session(request):
    request.session["count"] = request.session.get("count", 0) + 1  # B17: HEAD, too
    return HttpResponse(request.session["count"])


def add_to_cookies(request):
    if request.method == "GET":
        return page(request, FORM)
    response = HttpResponse("added")  # B31
    response.set_cookie(request.POST["name"], request.POST["quantity"], 180)  # B08, B09, B28, B29
    return response


def checked_add_to_cookies(request):
    form = ItemForm(request.POST or None)
    if not form.is_valid():
        return page(request, "<form>{{ form }}</form>", form=ItemForm())  # B30
    response = HttpResponse("added")
    response.set_cookie(form.cleaned_data["name"], form.cleaned_data["quantity"])
    return response


def cart_in_cookies(request):
    return page(request, TABLE, goods=request.COOKIES)  # B04, B06


def add_to_session(request):
    if request.method == "POST":
        request.session[request.POST["name"]] = request.POST["quantity"]  # B26, B28, B29, B32
        return HttpResponse("added")  # B18: and for GET?


def cart_in_session(request):
    return page(request, TABLE, goods=request.session)  # B05, B35


def info(request):
    request.session.get_expiry_age()  # B20: looked at, and not answered


def leave_out(request):
    return page(request, "{% include 'displayitems.html' %}")  # B22


urlpatterns = [
    path("count/", count_in_a_cookie),
    path("session-count/", count_in_the_session),
    path("cookies/add/", csrf_exempt(add_to_cookies)),
    path("cookies/checked/", csrf_exempt(checked_add_to_cookies)),
    re_path("^cookies/", cart_in_cookies),  # B46: no end
    path("session/add/", csrf_exempt(add_to_session)),
    path("session/", cart_in_session),
    path("info/", info),
    path("display/", leave_out),
]
