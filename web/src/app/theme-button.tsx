import { Monitor, Moon, Sun } from "lucide-react";
import { useState } from "react";
import { applyTheme, readTheme, type Theme } from "@/shared/lib/theme.ts";
import { IconButton } from "@/shared/ui/button.tsx";

const NEXT: Record<Theme, Theme> = { system: "light", light: "dark", dark: "system" };
const ICON = { system: Monitor, light: Sun, dark: Moon };

export function ThemeButton() {
  const [theme, setTheme] = useState(readTheme);
  const Icon = ICON[theme];
  const turn = () => {
    applyTheme(NEXT[theme]);
    setTheme(NEXT[theme]);
  };
  return (
    <IconButton label={`Colours: ${theme}. Change to ${NEXT[theme]}`} onClick={turn}>
      <Icon aria-hidden />
    </IconButton>
  );
}
