import { Page } from "@/shared/ui/page.tsx";

export function DashboardPage() {
  return (
    <Page title="Dashboard">
      <p>This page is being built.</p>
    </Page>
  );
}
