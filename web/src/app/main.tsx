import "@fontsource-variable/inter";
import "@/shared/styles/tokens.css";
import "@/shared/styles/base.css";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { applyTheme, readTheme } from "@/shared/lib/theme.ts";
import { App } from "./app.tsx";

applyTheme(readTheme());

const root = document.getElementById("root");
if (!root) throw new Error("the page has no #root");
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
