import "fake-indexeddb/auto";
import { cleanup, configure } from "@testing-library/react";
import { afterEach } from "vitest";

// A busy machine is slow; no test is about time.
configure({ asyncUtilTimeout: 20_000 });
afterEach(cleanup);
