import { Page } from "@/shared/ui/page.tsx";

export function SettingsPage() {
  return (
    <Page title="Settings">
      <p>This page is being built.</p>
    </Page>
  );
}
