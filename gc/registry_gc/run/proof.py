"""What is there after the sweep, without listing it all where less is a proof.

It is about the rows that the search for one text shows. The run knows each that it ever listed, and
which of them went: the server answered 204 or 404 to their deletion, or a complete listing did not
show them any more. The others should be there, and are, and nothing else is:

1. No row is there that is not known. What was pushed since stands first, newest first, and is found
   there; it is known then, and the row that had the same name before went.
2. A row that went does not come back: whatever is pushed has a new id. So what is there is a part
   of what should be.
3. X-Total-Count says how many are there. A part with as many rows as the whole is the whole.
4. The second step believes the server what it answered to each deletion. One that says 204 and does
   nothing has a row more than it should, unless somebody else deletes another at that moment. So
   `tags/list` must name the very tags that should be there, too.

A complete listing finds nothing beyond that: a deletion that was not done (3, 4), a row that was to
stay and that somebody else deleted, or a part of an index (3, 4), a tag or a part that was pushed
meanwhile (1), also one whose date was set back (3, 4). What became of a deletion that failed only a
listing tells, so nothing is proved then. A tag that 1.25.0 and 1.25.1 let keep its row although it
was pushed again, neither sees.
"""

from collections.abc import Sequence
from dataclasses import replace

from registry_gc.errors import RegistryGcError
from registry_gc.registry.listing import Listing, newer
from registry_gc.registry.version_names import is_digest
from registry_gc.run.look import replaced_by
from registry_gc.run.plan import Plan
from registry_gc.server import packages
from registry_gc.server.client import Client


def proved(client: Client, before: Listing, plans: Sequence[Plan]) -> Listing | None:
    """The images that were swept, as they are now; None when it is not proved, or not cheaper.

    `before` is the listing that some of the plans were made from; costs a look and a request for
    each of them that deleted something.
    """
    query, found_here = before.query, [plan for plan in plans if plan.query == before.query]
    swept = [plan for plan in found_here if plan.deleted or plan.failed]
    known = before.ids.union(*(plan.known for plan in found_here))
    there = known.difference(*(plan.known - plan.there for plan in plans))
    pages = -(-len(there) // max(before.page_size, 1))
    if any(plan.failed for plan in swept) or 1 + len(swept) >= pages:
        return None
    since = next((plan.since for plan in found_here if plan.image == query), before.since)
    try:
        found = newer(client, query, known, since)
        replaced = (replaced_by(found.versions, plan) for plan in found_here)
        there = there.difference(*replaced) | found.ids
        versions = (*found.versions, *(v for plan in swept for v in plan.versions if v.id in there))
        tags = client.in_order(lambda plan: packages.tags(client, plan.image), swept)
    except RegistryGcError:  # a listing tells what is wrong, if anything is
        return None
    names = [
        {v.name for v in versions if v.image == plan.image and not is_digest(v.name)}
        for plan in swept
    ]
    is_proof = found.total == len(there) and tags == names
    return replace(found, versions=versions) if is_proof else None
