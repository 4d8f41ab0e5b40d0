import { Page } from "@/shared/ui/page.tsx";

export function GlossaryPage() {
  return (
    <Page title="Glossary">
      <p>This page is being built.</p>
    </Page>
  );
}
