import express from "express";
import { total } from "@shop/prices";

const app = express();
app.get("/", (_request, response) => response.json(total([{ cents: 1 }])));
app.listen(3000);
