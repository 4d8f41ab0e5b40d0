// For `npm run dev` only: the page's own origin answers like `teetee web`, by handing its paths on to a running stack.
import { existsSync, readFileSync } from "node:fs";
import type { Plugin } from "vite";

const STATE = process.env["TEETEE_STATE"] ?? "../.teetee";

function stackUrl(): string | null {
  const file = `${STATE}/up.json`;
  if (!existsSync(file)) return null;
  const up = JSON.parse(readFileSync(file, "utf8")) as { web?: string; gateway?: string };
  return up.web ?? up.gateway ?? null;
}

// Hands /config.json, /demo-wallet.json and /v1 on to the stack that `./dev up` started.
export function devServer(): Plugin {
  return {
    name: "teetee-dev-server",
    apply: "serve",
    config: () => {
      const target = stackUrl();
      if (!target) return {};
      const proxy = Object.fromEntries(
        ["/config.json", "/demo-wallet.json", "/v1"].map((path) => [path, { target, changeOrigin: true }]),
      );
      return { server: { proxy } };
    },
  };
}
