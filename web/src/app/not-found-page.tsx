import { ButtonLink } from "@/shared/ui/button.tsx";
import { Page } from "@/shared/ui/page.tsx";

export function NotFoundPage() {
  return (
    <Page title="There is no such page" lead="The address may be mistyped, or the page was moved.">
      <div>
        <ButtonLink to="/">Go to the models</ButtonLink>
      </div>
    </Page>
  );
}
