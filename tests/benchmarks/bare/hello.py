"""FastAPI and Mangum, one route, nothing else."""

from fastapi import FastAPI
from mangum import Mangum
from pydantic import BaseModel


class Answer(BaseModel):
    """One field."""

    status: str


app = FastAPI()


@app.get("/api/v1/hello")
async def hello() -> Answer:
    """Say hello."""
    return Answer(status="hello")


handler = Mangum(app, lifespan="off")
