// Running a cell saves the open notebooks first, however it is run: by key, button or menu.
//
// The checker reads chapters from their files. JupyterLab saves only now and then, so the checker
// would read an older text than the one on the screen. All ways to run a cell go through
// JupyterLab's "cell executor". This one waits until all is saved, then does what JupyterLab's does.
//
// The file is what a build of an extension would produce, written by hand: a container from which
// JupyterLab takes the module "./extension", and which takes other modules from JupyterLab.
{
  const textOf = notebook =>
    JSON.stringify(Array.from(notebook.cells, cell => [cell.type, cell.sharedModel.getSource()]));

  const saved = new WeakMap(); // notebook -> the text that was last saved here

  /** Runs of many cells change outputs only: one save is enough for all of them. */
  const save = async context => {
    const text = textOf(context.model);
    const writable = context.contentsModel?.writable !== false;
    if (writable && context.model.dirty && saved.get(context.model) !== text) {
      await context.save();
      saved.set(context.model, text);
    }
  };

  const executor = (openNotebooks, runCell) => {
    const saveAll = async () => {
      for (const panel of openNotebooks()) await save(panel.context);
    };
    let last = Promise.resolve(); // one after another: cells keep the order in which they came
    return async options => {
      if (options.cell.model.type === 'code') {
        const ready = last.then(saveAll);
        last = ready.catch(() => undefined);
        try {
          await ready;
        } catch (error) {
          // JupyterLab has said why. A result would belong to an older text, so there is none.
          options.onCellExecuted({cell: options.cell, success: false});
          return false;
        }
      }
      return runCell(options);
    };
  };

  const plugin = ({INotebookCellExecutor, NotebookPanel, runCell}) => ({
    id: 'save-before-run:cell-executor',
    description: 'Saves the open notebooks before a cell runs.',
    autoStart: true,
    provides: INotebookCellExecutor,
    activate: app => {
      const openNotebooks = () =>
        Array.from(app.shell.widgets('main')).filter(widget => widget instanceof NotebookPanel);
      return Object.freeze({runCell: executor(openNotebooks, runCell)});
    },
  });

  let shared;
  window._JUPYTERLAB = window._JUPYTERLAB || {};
  window._JUPYTERLAB['save-before-run'] = {
    init: scope => {
      shared = scope;
    },
    get: async () => {
      const [notebook] = Object.values(shared['@jupyterlab/notebook']);
      const factory = await notebook.get();
      return () => ({__esModule: true, default: plugin(factory())});
    },
  };
}
