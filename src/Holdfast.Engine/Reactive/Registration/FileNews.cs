using Holdfast.Engine.Feed;
using Holdfast.Engine.Notebooks;
using Holdfast.Engine.Reactive.Cascades;
using Holdfast.Engine.Sessions;
using Holdfast.Engine.Store;
using Microsoft.Extensions.Logging;

namespace Holdfast.Engine.Reactive.Registration;

/// <summary>
/// What Jupyter's clients do to notebooks through us, as far as it concerns reactive ones: a file that is renamed takes along what is known
/// of it, a deleted one leaves nothing, a save is an edit, and a session gives the notebook its kernel. Nobody waits for it, and what a
/// crash cuts short is found again when the notebook is next read.
/// </summary>
public sealed partial class FileNews(
    StateStore store,
    FeedLog feed,
    ReactiveNotebooks notebooks,
    MovedNotebooks moved,
    EditFollowUp followUp,
    string root,
    ILogger<FileNews> logger
)
{
    public void Moved(string from, string to) =>
        _ = TryAsync(
            to,
            async () =>
            {
                (from, to) = (NotebookStorage.RealEntryOf(from), NotebookStorage.RealEntryOf(to));
                Task moving = moved.MoveAsync(from, to); // In its place in the store's line before the client hears of the new name.
                notebooks.Forget(from);
                notebooks.Forget(to);
                await moving;
            }
        );

    public void Deleted(string path) =>
        _ = TryAsync(
            path,
            async () =>
            {
                path = NotebookStorage.RealEntryOf(path);
                Task removing = moved.RemoveAsync(path);
                notebooks.Forget(path);
                await removing;
            }
        );

    /// <summary>A client has saved a reactive notebook.</summary>
    public void Saved(string path) =>
        _ = TryAsync(
            path,
            async () =>
            {
                path = NotebookStorage.RealPathOf(path);
                await notebooks.TakeSavedAsync(path);
                followUp.Note(path);
            }
        );

    /// <param name="before">The path that the session had.</param>
    public void Opened(Session session, string? before) =>
        _ = TryAsync(
            session.Path,
            async () =>
            {
                string path = NotebookStorage.RealPathOf(SessionKernels.PathOf(session, root));
                if (
                    before is not null
                    && NotebookStorage.RealPathOf(before.TrimStart('/'), root) is var old
                    && old != path
                    && !File.Exists(old)
                    && File.Exists(path)
                )
                {
                    await moved.MoveAsync(old, path);
                    notebooks.Forget(old);
                }

                if (MayBeReactive(path) && NotebookFile.Load(path).IsReactive)
                {
                    await store.WriteAsync(
                        transaction => NotebookFreshness.SetKernel(feed, transaction, path, session.KernelId),
                        CancellationToken.None
                    );
                }
            }
        );

    /// <summary>Most notebooks are not, and are not parsed for it.</summary>
    private static bool MayBeReactive(string path) => File.Exists(path) && File.ReadAllBytes(path).AsSpan().IndexOf("\"reactive\""u8) >= 0;

    private async Task TryAsync(string path, Func<Task> act)
    {
        try
        {
            await act();
        }
        catch (Exception failure) when (failure is RefusedException or StoreException or IOException or UnauthorizedAccessException)
        {
            Log.NotFollowed(logger, path, failure.Message);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(
            EventIds.FileNotFollowed,
            LogLevel.Warning,
            "What was done to {Path} could not be followed; it is looked at again when the notebook is next read: {Reason}"
        )]
        public static partial void NotFollowed(ILogger logger, string path, string reason);
    }
}
