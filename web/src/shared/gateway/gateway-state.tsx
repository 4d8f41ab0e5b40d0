// Loading, failed or refused, and the content of one question to the gateway or the chain: every view's states in one place.
import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Button } from "../ui/button.tsx";
import { ErrorState, type Problem, Skeleton } from "../ui/states.tsx";
import { GatewayError } from "./ask-gateway.ts";

export interface GatewayStateProps<T> {
  query: UseQueryResult<T>;
  // Height in rem of what will stand there.
  height?: number;
  children: (data: T) => ReactNode;
}

export function GatewayState<T>({ query, height = 8, children }: GatewayStateProps<T>) {
  if (query.data !== undefined) return children(query.data);
  if (query.error) {
    const again = (
      <Button size="s" onClick={() => void query.refetch()} pending={query.isFetching}>
        Try again
      </Button>
    );
    return (
      <ErrorState
        problem={problemOf(query.error)}
        kind={isRefusal(query.error) ? "refused" : "failed"}
        action={again}
      />
    );
  }
  return <Skeleton height={height} />;
}

export function problemOf(error: unknown): Problem {
  if (error instanceof GatewayError) return { message: error.message, next: error.next };
  const message = error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
  return {
    message: "That did not work.",
    cause: message,
    next: "Try again; if it stays, look at the settings.",
  };
}

function isRefusal(error: unknown): boolean {
  return error instanceof GatewayError && error.status >= 400 && error.status < 500;
}
