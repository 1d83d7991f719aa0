import { Route } from 'lucide-react';
import type { ReactNode } from 'react';
import { useController, usePlayground } from '../../model/playground.ts';
import { SCENARIOS, scenarioById } from '../../model/scenarios/catalog.ts';
import { ActionMenu } from '../../widgets/ActionMenu.tsx';
import { Button } from '../../widgets/Button.tsx';

/** All scenarios; says beforehand which of them need the machine to start anew. */
export function ScenarioMenu({ words = false }: { readonly words?: boolean }): ReactNode {
  const { guide } = usePlayground();
  // Told anew when another machine runs: then other scenarios need a restart.
  useController((state) => state.applied);
  return (
    <ActionMenu
      trigger={
        words ? (
          <Button size="small" variant="primary">
            Scenarios
          </Button>
        ) : (
          <Button variant="quiet" icon={<Route />} aria-label="Scenarios" />
        )
      }
      title="Scenarios: on the real machine, with its own figures"
      actions={SCENARIOS.map((scenario) => ({
        id: scenario.id,
        label: scenario.title,
        note: `${scenario.question}${guide.needsRestart(scenario) ? ' Restarts the machine.' : ''}`,
      }))}
      onAction={(id) => {
        const scenario = scenarioById(id);
        if (scenario !== undefined) guide.begin(scenario);
      }}
    />
  );
}
