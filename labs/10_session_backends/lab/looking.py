from django.shortcuts import render
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_cookie

from lab import engines
from lab.store import kept


@require_safe
@vary_on_cookie
def store(request):
    engine, cache = engines.in_use()
    facts = {"engine": engine, "cache": cache, "kept": list(kept(request, engine))}
    return render(request, "store.html", facts)


@require_safe
def table(request):
    engine, cache = engines.in_use()
    _, *columns = engines.COLUMNS.values()
    facts = {"engine": engine, "cache": cache, "columns": columns, "rows": engines.rows()}
    return render(request, "engines.html", facts)
