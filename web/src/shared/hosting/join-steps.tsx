// The steps of a join or a renewal, as they happen.
import { type CheckItem, CheckList } from "../ui/check-list.tsx";
import type { JoinStep } from "./join.ts";

const STATUS = { waiting: "waiting", running: "running", done: "passed", failed: "failed" } as const;

export function JoinSteps({ steps }: { steps: readonly JoinStep[] }) {
  if (steps.length === 0) return null;
  const items: CheckItem[] = steps.map((step) => ({
    id: `join.${step.id}`,
    title: step.title,
    status: STATUS[step.status],
    detail: step.detail,
    cure: step.next,
  }));
  return <CheckList label="Steps of joining" checks={items} />;
}
