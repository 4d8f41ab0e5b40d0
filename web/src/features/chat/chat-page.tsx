import { Page } from "@/shared/ui/page.tsx";

export function ChatPage() {
  return (
    <Page title="Chat">
      <p>This page is being built.</p>
    </Page>
  );
}
