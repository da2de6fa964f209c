"""FastAPI, Mangum and psycopg: one route that asks the database for 1, on a connection that is kept."""

import os

import psycopg
from fastapi import FastAPI
from mangum import Mangum
from pydantic import BaseModel


class Answer(BaseModel):
    """One field."""

    value: int


app = FastAPI()
kept: dict[str, psycopg.AsyncConnection] = {}


@app.get("/api/v1/hello")
async def one() -> Answer:
    """Ask for 1 in a transaction of its own."""
    if "connection" not in kept:
        address = os.environ["BARE_DATABASE_URL"].replace("postgresql+psycopg://", "postgresql://")
        kept["connection"] = await psycopg.AsyncConnection.connect(address, prepare_threshold=None)
    async with kept["connection"].transaction():
        cursor = await kept["connection"].execute("select 1")
        row = await cursor.fetchone()
    return Answer(value=row[0] if row else 0)


handler = Mangum(app, lifespan="off")
