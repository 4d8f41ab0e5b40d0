import { Page } from "@/shared/ui/page.tsx";

export function PoolPage() {
  return (
    <Page title="Pool">
      <p>This page is being built.</p>
    </Page>
  );
}
