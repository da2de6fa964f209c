"""Search, chats and streamed answers of the fake API."""

import json
import re
import uuid
from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import StreamingResponse

from functions.chats import schemas as chats
from functions.search import schemas as search
from shared.runtime.messages import AnswerOut, MessageOut
from tests.cli.fake_world import MODEL, NOW, World, page_of, problem


def add_questions(app: FastAPI, world: World) -> None:
    """Their routes."""

    @app.post("/api/v1/search", response_model=search.SearchOut)
    async def find(body: search.SearchIn) -> Any:
        world.bodies.append(body.model_dump(mode="json"))
        inside = [
            one
            for one in world.documents.values()
            if one["committed_generation"] and one["collection_id"] in map(str, body.collection_ids)
        ]
        hits = [_hit(one) for one in inside if "nothing" not in body.query][: body.limit]
        return {"hits": hits, "milliseconds": {"embed": 4.0, "vector": 2.5, "keyword": 1.5}, "model": MODEL["name"]}

    @app.post("/api/v1/chats", response_model=chats.ChatOut, status_code=201)
    async def create_chat(body: chats.NewChat) -> dict[str, Any]:
        ids = [str(one) for one in body.collection_ids]
        made: dict[str, Any] = {
            "id": str(uuid.uuid4()),
            "title": "",
            "collection_ids": ids,
            "created_at": NOW,
            "updated_at": NOW,
        }
        world.chats[made["id"]], world.messages[made["id"]] = made, []
        return made

    @app.get("/api/v1/chats", response_model=chats.ChatPage)
    async def list_chats(cursor: str | None = None, limit: int = 50) -> dict[str, Any]:
        return page_of(world, list(world.chats.values()), cursor, limit)

    @app.delete("/api/v1/chats/{id}", status_code=204)
    async def delete_chat(id: str) -> Response:
        if world.chats.pop(id, None) is None:
            return problem(404, "chat_not_found", "no such chat")
        return Response(status_code=204)

    @app.get("/api/v1/chats/{id}/messages", response_model=list[MessageOut])
    async def list_messages(id: str) -> Any:
        return world.messages[id] if id in world.messages else problem(404, "chat_not_found", "no such chat")

    @app.post("/api/v1/streams/chats/{id}/messages")
    async def ask(id: str, request: Request) -> Response:
        if id not in world.chats:
            return problem(404, "chat_not_found", "no such chat of yours")
        question = (await request.json())["question"]
        return StreamingResponse(_events(world, id, question), media_type="text/event-stream")


def _hit(document: dict[str, Any]) -> dict[str, Any]:
    return {
        "chunk_id": f"{document['id']}:1:0",
        "document_id": document["id"],
        "document_name": document["name"],
        "document_title": "",
        "version": document["committed_generation"],
        "collection_id": document["collection_id"],
        "text": document["text"],
        "start": 0,
        "end": len(document["text"]),
        "page_first": 1,
        "page_last": 2,
        "heading_path": ["Leave", "Carrying over"],
        "kind": "text",
        "score": 0.91,
        "vector_score": 0.71,
        "keyword_score": 5.2,
        "tags": [],
        "metadata": {},
    }


def _events(world: World, chat_id: str, question: str) -> Iterator[str]:
    def event(name: str, data: Any) -> str:
        return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"

    source = next((one for one in world.documents.values() if one["committed_generation"]), None)
    yield event("sources", {"sources": []})
    found = source is not None and "unknown" not in question
    content = "It is 42 [1]. Trust me." if found else "Not found in the documents."
    for word in re.findall(r"\S+\s*", content):
        yield event("delta", {"text": word})
        if "break" in question:
            return
        if "explode" in question:
            yield event("error", {"code": "unavailable", "detail": "the model is down", "hint": "ask again later"})
            return
    if "corrected" in question:
        content = "It is 42 [1]."
    answer = _answer(source if found else None, question, content, "a wrong quote" if world.wrong_quote else None)
    world.messages[chat_id] += [answer["question"], answer["answer"]]
    yield event("answer", AnswerOut.model_validate(answer).model_dump(mode="json"))


def _answer(source: dict[str, Any] | None, question: str, content: str, quote: str | None) -> dict[str, Any]:
    def message(role: str, text: str, **more: Any) -> dict[str, Any]:
        plain = {"found": True, "citations": [], "sentences": [], "receipt": None, "metadata": {}, "created_at": NOW}
        return {"id": str(uuid.uuid4()), "role": role, "content": text, **plain, **more}

    receipt = {
        "model": "extractive",
        "input_tokens": 120,
        "output_tokens": 9,
        "milliseconds": {"search": 12.0, "answer": 30.0},
    }
    if source is None:
        return {
            "question": message("user", question),
            "answer": message("assistant", content, found=False, receipt=receipt),
        }
    text = source["text"]
    citation = {
        "number": 1,
        "chunk_id": f"{source['id']}:1:0",
        "document_id": source["id"],
        "document_name": source["name"],
        "version": source["committed_generation"],
        "start": 0,
        "end": min(40, len(text)),
        "quote": quote or text[:40],
        "page": 3,
        "heading_path": ["Leave"],
        "support": 1.0,
        "removed": False,
    }
    sentences = [{"start": 0, "end": 13, "citations": [1], "supported": True}]
    if len(content) > 13:
        sentences.append({"start": 14, "end": len(content), "citations": [], "supported": False})
    about = {"citations": [citation], "sentences": sentences, "receipt": receipt}
    return {"question": message("user", question), "answer": message("assistant", content, **about)}
