"""The two pages about engines: what is stored for this visitor, and how the engines differ."""

from django.shortcuts import render
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_cookie

from lab import engines
from lab.store import read_store


@require_safe
@vary_on_cookie
def store_page(request):
    engine, cache = engines.in_use()
    facts = {"engine": engine, "cache": cache, "stored": list(read_store(request, engine))}
    return render(request, "store.html", facts)


@require_safe
def engines_page(request):
    engine, cache = engines.in_use()
    _, *columns = engines.COLUMNS.values()
    facts = {"engine": engine, "cache": cache, "columns": columns, "rows": engines.rows()}
    return render(request, "engines.html", facts)
