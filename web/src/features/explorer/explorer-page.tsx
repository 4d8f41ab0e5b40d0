import { Page } from "@/shared/ui/page.tsx";

export function ExplorerPage() {
  return (
    <Page title="Explorer">
      <p>This page is being built.</p>
    </Page>
  );
}
