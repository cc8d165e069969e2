from fastapi import FastAPI

app = FastAPI()


@app.get("/")
def weather() -> dict[str, str]:
    match 1:
        case 1:
            return {"sky": "grey"}
