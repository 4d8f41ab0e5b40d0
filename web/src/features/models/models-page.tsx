import { Page } from "@/shared/ui/page.tsx";

export function ModelsPage() {
  return (
    <Page title="Models">
      <p>This page is being built.</p>
    </Page>
  );
}
