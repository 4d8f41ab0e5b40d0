import { useState } from "react";
import { applyTheme, readTheme, type Theme } from "@/shared/lib/theme.ts";
import { Card } from "@/shared/ui/card.tsx";
import { Segments } from "@/shared/ui/tabs.tsx";

const THEMES = [
  { id: "system", title: "As the system" },
  { id: "light", title: "Light" },
  { id: "dark", title: "Dark" },
] as const;

export function LookCard() {
  const [theme, setTheme] = useState<Theme>(readTheme);
  const choose = (next: Theme) => {
    applyTheme(next);
    setTheme(next);
  };
  return (
    <Card title="Colours">
      <div>
        <Segments label="Colours" options={THEMES} value={theme} onChange={choose} />
      </div>
    </Card>
  );
}
