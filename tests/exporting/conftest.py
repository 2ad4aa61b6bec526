"""A model hub on this machine: the calls of the hub's protocol that push and pull need."""

import base64
import hashlib
import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
import yaml
from huggingface_hub import constants

COMMIT = "c" * 40
TOKEN = "hf_token_of_the_test"


@dataclass
class Hub:
    """What the hub holds.

    Attributes
    ----------
    repositories
        `OWNER/NAME` → path → content.
    private
        The repositories that were made as private ones.
    blobs
        Large files, by their SHA-256.
    refusal
        Status with which every call is refused; None: none is.
    """

    address: str = ""
    repositories: dict[str, dict[str, bytes]] = field(default_factory=dict)
    private: set[str] = field(default_factory=set)
    blobs: dict[str, bytes] = field(default_factory=dict)
    refusal: int | None = None

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, Any]:
        """Return status and JSON (or bytes) for one call."""
        if self.refusal is not None:
            return self.refusal, {"error": "not today"}
        parts = unquote(path).strip("/").split("/")
        if parts[0] == "blobs":
            self.blobs[parts[1]] = body
            return 200, {}
        if parts[:2] == ["api", "validate-yaml"]:
            return self.validate(json.loads(body)["content"])
        if parts[:3] == ["api", "repos", "create"]:
            return self.create(json.loads(body))
        if parts[2:5] == ["info", "lfs", "objects"]:
            return self.batch(json.loads(body))
        name = "/".join(parts[2:4] if parts[0] == "api" else parts[:2])
        if name not in self.repositories:
            return 404, {"error": "Repository not found"}
        call = parts[4] if parts[0] == "api" and len(parts) > 4 else parts[2]
        return getattr(self, call)(name, parts, body)

    def validate(self, card: str) -> tuple[int, Any]:
        """Refuse a backbone that is no hub id and a licence in words, as the hub does."""
        front = yaml.safe_load(card.split("---")[1])
        forms = {"base_model": r"[\w.-]+/[\w.-]+", "license": r"[a-z0-9.-]+"}
        wrong = [
            {"message": f"{name} is not valid"}
            for name, form in forms.items()
            if not re.fullmatch(form, front.get(name, "a/b" if name == "base_model" else "a"))
        ]
        return (400 if wrong else 200), {"errors": wrong, "warnings": []}

    def create(self, asked: dict[str, Any]) -> tuple[int, Any]:
        name = "/".join(filter(None, [asked.get("organization"), asked["name"]]))
        if name in self.repositories:
            return 409, {"url": f"{self.address}/{name}", "error": "there is one"}
        self.repositories[name] = {".gitattributes": b"*.safetensors filter=lfs\n"}
        if asked.get("private") or asked.get("visibility") == "private":
            self.private.add(name)
        return 200, {"url": f"{self.address}/{name}"}

    def batch(self, asked: dict[str, Any]) -> tuple[int, Any]:
        objects = [
            each
            | {"actions": {"upload": {"href": f"{self.address}/blobs/{each['oid']}", "header": {}}}}
            for each in asked["objects"]
        ]
        return 200, {"transfer": "basic", "objects": objects}

    def tree(self, name: str, _parts: list[str], _body: bytes) -> tuple[int, Any]:
        files = self.repositories[name]
        return 200, [
            {"type": "file", "path": path, "size": len(text), "oid": oid(text)}
            for path, text in files.items()
        ]

    def preupload(self, _name: str, _parts: list[str], body: bytes) -> tuple[int, Any]:
        asked = json.loads(body)["files"]
        return 200, {
            "files": [
                {
                    "path": each["path"],
                    "uploadMode": "lfs" if each["path"].endswith("safetensors") else "regular",
                    "shouldIgnore": False,
                    "oid": None,
                }
                for each in asked
            ]
        }

    def commit(self, name: str, _parts: list[str], body: bytes) -> tuple[int, Any]:
        files = self.repositories[name]
        for line in map(json.loads, body.splitlines()):
            value = line["value"]
            if line["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                files[value["path"]] = self.blobs[value["oid"]]
            elif line["key"] == "deletedFile":
                del files[value["path"]]
        address = f"{self.address}/{name}/commit/{COMMIT}"
        return 200, {"commitUrl": address, "commitOid": COMMIT, "success": True}

    def revision(self, name: str, _parts: list[str], _body: bytes) -> tuple[int, Any]:
        siblings = [{"rfilename": path} for path in self.repositories[name]]
        return 200, {"id": name, "modelId": name, "sha": COMMIT, "siblings": siblings, "tags": []}

    def resolve(self, name: str, parts: list[str], _body: bytes) -> tuple[int, Any]:
        return 200, self.repositories[name]["/".join(parts[4:])]


def oid(text: bytes) -> str:
    return hashlib.sha1(text).hexdigest()


def handler_of(hub: Hub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def respond(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            code, content = hub.answer(self.command, urlsplit(self.path).path, body)
            kind, data = "application/octet-stream", content
            if not isinstance(content, bytes):
                kind, data = "application/json", json.dumps(content).encode()
            self.send_response(code)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
            self.send_header("ETag", f'"{oid(data)}"')
            self.send_header("X-Repo-Commit", COMMIT)
            if code == 404:
                self.send_header("X-Error-Code", "RepoNotFound")
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(data)

        do_GET = do_POST = do_PUT = do_HEAD = respond  # noqa: N815 — the library's names

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Stay quiet."""

    return Handler


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub on this machine, which the hub's client takes for the real one."""
    found = Hub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler_of(found))
    found.address = f"http://127.0.0.1:{server.server_address[1]}"
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr(constants, "ENDPOINT", found.address)
    monkeypatch.setattr(
        constants,
        "HUGGINGFACE_CO_URL_TEMPLATE",
        found.address + "/{repo_id}/resolve/{revision}/{filename}",
    )
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield found
    server.shutdown()
    server.server_close()
