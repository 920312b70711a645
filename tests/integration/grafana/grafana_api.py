"""A server that answers as Grafana's documented HTTP API does, and refuses what it would refuse.

After the pages "HTTP API" of Grafana 12: organisations, data sources, folders and their permissions, search,
dashboards, annotations, provisioning of alert rules. It checks who asks, of which organisation, with which
body, and keeps what is told.
"""

from __future__ import annotations

import asyncio
import base64
import itertools
import socket
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

ADMIN = ("admin", "open sesame")
TOKEN = "glsa_of_saida"


@dataclass
class Organisation:
    """What one organisation of the server has."""

    name: str
    sources: dict[str, dict[str, Any]] = field(default_factory=dict)
    passwords: dict[str, str] = field(default_factory=dict)
    rejected: set[str] = field(default_factory=set)
    inner: dict[str, list[str]] = field(default_factory=dict)
    folders: dict[str, str] = field(default_factory=dict)
    permissions: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    dashboards: dict[str, tuple[str, dict[str, Any]]] = field(default_factory=dict)
    annotations: list[dict[str, Any]] = field(default_factory=list)
    rules: dict[str, dict[str, Any]] = field(default_factory=dict)


class GrafanaApi:
    """The server's state, and `app`, which is to be served."""

    def __init__(self, version: str = "12.2.0") -> None:
        self.version = version
        self.organisations = {1: Organisation("Main Org.")}
        self.asked: defaultdict[str, int] = defaultdict(int)
        self.token_of = 0
        self.posted = 0
        self.refused: dict[str, tuple[int, str]] = {}
        """What is refused, by method and path: with which status, in which words."""
        self.after_post: Callable[[int], None] = lambda _: None
        """Called with the count of annotations, when one is stored and before that is answered."""
        self._ids = itertools.count(2)
        self.app = FastAPI()
        self._routes()

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        """Serve it on a free port as long as the block runs; the value is its address."""
        server = uvicorn.Server(uvicorn.Config(self.app, log_level="warning", lifespan="off"))
        listening = socket.socket()
        listening.bind(("127.0.0.1", 0))
        task = asyncio.create_task(server.serve(sockets=[listening]))
        async with asyncio.timeout(20):
            while not server.started:  # noqa: ASYNC110 - uvicorn says it in no other way
                await asyncio.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            await asyncio.wait_for(task, 20)
            listening.close()

    def named(self, name: str) -> Organisation:
        """Return an organisation by its name."""
        return next(one for one in self.organisations.values() if one.name == name)

    def add(self, name: str) -> int:
        """Make an organisation and return its number."""
        number = next(self._ids)
        self.organisations[number] = Organisation(name)
        return number

    @property
    def written(self) -> int:
        """How many requests have changed something."""
        return sum(n for asked, n in self.asked.items() if not asked.startswith("GET"))

    def _organisation(self, request: Request) -> Organisation:
        """Return the organisation that is asked for by who may."""
        header = request.headers.get("authorization", "")
        asked = f"{request.method} {request.url.path}"
        self.asked[asked] += 1
        if asked in self.refused:
            raise HTTPException(*self.refused[asked])
        if header == f"Bearer {TOKEN}" and self.token_of:
            return self.organisations[self.token_of]
        if header != "Basic " + base64.b64encode(":".join(ADMIN).encode()).decode():
            raise HTTPException(401, "Invalid username or password")
        number = int(request.headers.get("x-grafana-org-id", 1))
        if number not in self.organisations:
            raise HTTPException(404, "Organization not found")
        return self.organisations[number]

    def _administration(self, request: Request) -> None:
        self._organisation(request)
        if request.headers["authorization"].startswith("Bearer"):
            raise HTTPException(
                403,
                "You'll need additional permissions to perform this action. Permissions needed: orgs:read",
            )

    def _routes(self) -> None:
        app = self.app

        @app.exception_handler(HTTPException)
        def refused(_: Request, error: HTTPException) -> JSONResponse:
            return JSONResponse({"message": error.detail}, error.status_code)

        @app.get("/api/frontend/settings")
        def settings(request: Request) -> Any:
            self._organisation(request)
            return {"buildInfo": {"version": self.version, "commit": "c0ffee", "edition": "Open Source"}}

        @app.get("/api/orgs")
        def organisations(request: Request) -> Any:
            self._administration(request)
            return [{"id": number, "name": one.name} for number, one in self.organisations.items()]

        @app.get("/api/org")
        def own(request: Request) -> Any:
            one = self._organisation(request)
            return {"id": next(n for n, o in self.organisations.items() if o is one), "name": one.name}

        @app.post("/api/orgs")
        async def add_organisation(request: Request) -> Any:
            self._administration(request)
            body = await request.json()
            assert set(body) == {"name"}
            if any(one.name == body["name"] for one in self.organisations.values()):
                raise HTTPException(409, "Organization name taken")
            return {"orgId": self.add(body["name"]), "message": "Organization created"}

        @app.get("/api/datasources")
        def sources(request: Request) -> Any:
            return list(self._organisation(request).sources.values())

        @app.get("/api/datasources/uid/{uid}")
        def source(request: Request, uid: str) -> Any:
            one = self._organisation(request)
            if uid not in one.sources:
                raise HTTPException(404, "Data source not found")
            return {
                **one.sources[uid],
                "secureJsonFields": {"password": True} if uid in one.passwords else {},
            }

        @app.get("/api/datasources/uid/{uid}/health")
        def health(request: Request, uid: str) -> Any:
            one = self._organisation(request)
            if uid in one.rejected:
                verbose = f"failed SASL auth: FATAL: password authentication failed for user {uid}"
                return JSONResponse({"status": "ERROR", "details": {"verboseMessage": verbose}}, 400)
            return {"status": "OK", "message": "Database Connection OK"}

        @app.post("/api/datasources")
        async def add_source(request: Request) -> Any:
            one, body = self._organisation(request), await request.json()
            assert {"uid", "name", "type", "access", "url", "user", "jsonData", "secureJsonData"} <= set(body)
            if body["uid"] in one.sources:
                raise HTTPException(409, "data source with the same name already exists")
            return self._keep_source(one, body)

        @app.put("/api/datasources/uid/{uid}")
        async def change_source(request: Request, uid: str) -> Any:
            one, body = self._organisation(request), await request.json()
            if uid not in one.sources:
                raise HTTPException(404, "Data source not found")
            return self._keep_source(one, body)

        @app.get("/api/folders")
        def folders(request: Request) -> Any:
            one = self._organisation(request)
            if parent := request.query_params.get("parentUid"):
                return [{"id": 99, "uid": uid, "title": uid} for uid in one.inner.get(parent, [])]
            return [
                {"id": i, "uid": uid, "title": title} for i, (uid, title) in enumerate(one.folders.items(), 1)
            ]

        @app.post("/api/folders")
        async def add_folder(request: Request) -> Any:
            one, body = self._organisation(request), await request.json()
            assert set(body) == {"uid", "title"}
            if body["uid"] in one.folders:
                raise HTTPException(409, "a folder with that UID already exists")
            one.folders[body["uid"]] = body["title"]
            return body

        @app.put("/api/folders/{uid}")
        async def change_folder(request: Request, uid: str) -> Any:
            one, body = self._organisation(request), await request.json()
            if uid not in one.folders:
                raise HTTPException(404, "folder not found")
            if not body.get("overwrite") and "version" not in body:
                raise HTTPException(412, "the folder has been changed by someone else")
            one.folders[uid] = body["title"]
            return body

        @app.delete("/api/folders/{uid}")
        def remove_folder(request: Request, uid: str) -> Any:
            one = self._organisation(request)
            del one.folders[uid]
            one.dashboards = {k: v for k, v in one.dashboards.items() if v[0] != uid}
            return {"message": "Folder deleted"}

        @app.get("/api/folders/{uid}/permissions")
        def permissions(request: Request, uid: str) -> Any:
            one = self._organisation(request)
            default = [{"role": "Editor", "permission": 2}, {"role": "Viewer", "permission": 1}]
            return one.permissions.get(uid, default)

        @app.post("/api/folders/{uid}/permissions")
        async def set_permissions(request: Request, uid: str) -> Any:
            one, body = self._organisation(request), await request.json()
            assert set(body) == {"items"}
            assert all(item["permission"] in (1, 2, 4) for item in body["items"])
            one.permissions[uid] = body["items"]
            return {"message": "Folder permissions updated"}

        @app.get("/api/search")
        def search(request: Request) -> Any:
            one, asked = self._organisation(request), request.query_params
            assert asked["type"] == "dash-db"
            wanted = asked.getlist("folderUIDs")
            return [
                {"uid": uid, "title": d["title"]} for uid, (f, d) in one.dashboards.items() if f in wanted
            ]

        @app.get("/api/dashboards/uid/{uid}")
        def dashboard(request: Request, uid: str) -> Any:
            one = self._organisation(request)
            if uid not in one.dashboards:
                raise HTTPException(404, "Dashboard not found")
            folder, stored = one.dashboards[uid]
            return {"dashboard": stored, "meta": {"folderUid": folder, "version": stored["version"]}}

        @app.post("/api/dashboards/db")
        async def put_dashboard(request: Request) -> Any:
            one, body = self._organisation(request), await request.json()
            given = body["dashboard"]
            if not given.get("title"):
                raise HTTPException(400, "Dashboard title cannot be empty")
            if body["folderUid"] not in one.folders:
                raise HTTPException(400, "folder not found")
            before = one.dashboards.get(given["uid"])
            if before and not body["overwrite"]:
                raise HTTPException(412, "The dashboard has been changed by someone else")
            version = before[1]["version"] + 1 if before else 1
            one.dashboards[given["uid"]] = (body["folderUid"], {**given, "id": 7, "version": version})
            return {"uid": given["uid"], "status": "success", "version": version}

        @app.delete("/api/dashboards/uid/{uid}")
        def remove_dashboard(request: Request, uid: str) -> Any:
            one = self._organisation(request)
            if uid not in one.dashboards:
                raise HTTPException(404, "Dashboard not found")
            del one.dashboards[uid]
            return {"message": "Dashboard deleted"}

        @app.get("/api/v1/provisioning/alert-rules")
        def rules(request: Request) -> Any:
            return list(self._organisation(request).rules.values())

        @app.post("/api/v1/provisioning/alert-rules", status_code=201)
        async def add_rule(request: Request) -> Any:
            one, body = self._organisation(request), await request.json()
            if body["uid"] in one.rules:
                raise HTTPException(409, "alert rule UID is already in use")
            return self._keep_rule(one, body)

        @app.put("/api/v1/provisioning/alert-rules/{uid}")
        async def change_rule(request: Request, uid: str) -> Any:
            one, body = self._organisation(request), await request.json()
            if uid not in one.rules:
                raise HTTPException(404, "alert rule not found")
            return self._keep_rule(one, body)

        @app.delete("/api/v1/provisioning/alert-rules/{uid}", status_code=204)
        def remove_rule(request: Request, uid: str) -> None:
            self._organisation(request).rules.pop(uid, None)

        @app.post("/api/annotations")
        async def annotate(request: Request) -> Any:
            one, body = self._organisation(request), await request.json()
            assert isinstance(body["time"], int)
            if not body["text"]:
                raise HTTPException(400, "Failed to save annotation: text field should not be empty")
            number = len(one.annotations) + 1
            one.annotations.append({**body, "id": number, "timeEnd": body["timeEnd"] or body["time"]})
            self.posted += 1
            self.after_post(self.posted)
            return {"message": "Annotation added", "id": number}

        @app.get("/api/annotations")
        def annotations(request: Request) -> Any:
            one, asked = self._organisation(request), request.query_params
            tags = {_pair(tag) for tag in asked.getlist("tags")}
            found = [a for a in one.annotations if tags <= {_pair(tag) for tag in a["tags"]}]
            return found[: int(asked.get("limit", 100))]

        @app.patch("/api/annotations/{number}")
        async def change_annotation(request: Request, number: int) -> Any:
            one, body = self._organisation(request), await request.json()
            if number > len(one.annotations):
                raise HTTPException(404, "Annotation not found")
            one.annotations[number - 1].update({k: v for k, v in body.items() if v is not None})
            return {"message": "Annotation patched"}

    def _keep_rule(self, one: Organisation, body: dict[str, Any]) -> Any:
        """Keep a rule as Grafana does: with what it adds, after what it checks."""
        lacking = {"title", "ruleGroup", "folderUID", "condition", "data", "noDataState", "for"} - set(body)
        if lacking or body["condition"] not in {query["refId"] for query in body["data"]}:
            raise HTTPException(400, f"invalid alert rule: {', '.join(sorted(lacking)) or 'condition'}")
        if body["folderUID"] not in one.folders:
            raise HTTPException(400, "invalid alert rule: folder does not exist")
        data = [{"queryType": "", **query} for query in body["data"]]
        one.rules[body["uid"]] = {
            **body, "data": data, "id": 1, "orgID": 1, "provenance": "api", "isPaused": False
        }  # fmt: skip
        return one.rules[body["uid"]]

    def _keep_source(self, one: Organisation, body: dict[str, Any]) -> Any:
        secret = body.pop("secureJsonData", {})
        if "password" in secret:
            one.passwords[body["uid"]] = secret["password"]
            one.rejected.discard(body["uid"])
        one.sources[body["uid"]] = body
        return {"datasource": body, "id": 1, "message": "Datasource added"}


def _pair(tag: str) -> tuple[str, str]:
    """Return a tag as Grafana compares it: key and value, what comes after a second colon is lost."""
    parts = tag.split(":")
    return parts[0].strip(), parts[1].strip() if len(parts) > 1 else ""
