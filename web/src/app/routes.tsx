// Every page is loaded when it is first opened.
import { lazy } from "react";
import { Route, Routes } from "react-router";
import { NotFoundPage } from "./not-found-page.tsx";
import { Shell } from "./shell.tsx";

const ModelsPage = lazy(async () => ({ default: (await import("@/features/models/models-page.tsx")).ModelsPage }));
const ChatPage = lazy(async () => ({ default: (await import("@/features/chat/chat-page.tsx")).ChatPage }));
const PoolPage = lazy(async () => ({ default: (await import("@/features/pool/pool-page.tsx")).PoolPage }));
const DashboardPage = lazy(async () => ({
  default: (await import("@/features/dashboard/dashboard-page.tsx")).DashboardPage,
}));
const ExplorerPage = lazy(async () => ({
  default: (await import("@/features/explorer/explorer-page.tsx")).ExplorerPage,
}));
const SettingsPage = lazy(async () => ({
  default: (await import("@/features/settings/settings-page.tsx")).SettingsPage,
}));
const GlossaryPage = lazy(async () => ({
  default: (await import("@/features/glossary/glossary-page.tsx")).GlossaryPage,
}));

export function AppRoutes() {
  return (
    <Routes>
      <Route element={<Shell />}>
        <Route index element={<ModelsPage />} />
        <Route path="pool" element={<PoolPage />} />
        <Route path="pool/:model/:slot" element={<PoolPage />} />
        <Route path="dashboard" element={<DashboardPage />} />
        <Route path="chat" element={<ChatPage />} />
        <Route path="chat/:id" element={<ChatPage />} />
        <Route path="explorer" element={<ExplorerPage />} />
        <Route path="explorer/:kind/:id" element={<ExplorerPage />} />
        <Route path="settings" element={<SettingsPage />} />
        <Route path="glossary" element={<GlossaryPage />} />
        <Route path="*" element={<NotFoundPage />} />
      </Route>
    </Routes>
  );
}
