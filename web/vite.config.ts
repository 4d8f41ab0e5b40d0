/// <reference types="vitest/config" />
import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";
import { devServer } from "./tools/dev-server.ts";

// A real model on a shared machine takes its time.
const stack = { name: "stack", environment: "node" as const, testTimeout: 180_000, hookTimeout: 60_000 };

export default defineConfig({
  plugins: [react(), devServer()],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  build: {
    target: "es2023",
    outDir: "dist",
    assetsDir: "assets",
    // Nothing may become a data: URL or an inline script: the content security policy allows neither.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    manifest: "build-manifest.json",
  },
  // Components need a document; everything else is quicker without one.
  test: {
    testTimeout: 60_000,
    restoreMocks: true,
    // Threads start sooner than processes on a machine that has much else to do.
    pool: "threads",
    maxWorkers: 2,
    projects: [
      {
        extends: true,
        test: { name: "unit", environment: "node", include: ["src/**/*.test.ts", "tools/**/*.test.ts"] },
      },
      // Against the running system, by tests/e2e.
      ...(process.env.TEETEE_UP
        ? [{ extends: true as const, test: { ...stack, include: ["src/**/*.stack.ts"] } }]
        : []),
      {
        extends: true,
        test: {
          name: "dom",
          environment: "jsdom",
          include: ["src/**/*.test.tsx"],
          setupFiles: ["src/test-setup.ts"],
        },
      },
    ],
  },
});
