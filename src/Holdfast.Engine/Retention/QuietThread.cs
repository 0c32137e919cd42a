using System.Runtime.InteropServices;

namespace Holdfast.Engine.Retention;

/// <summary>A thread for work that is nobody's hurry: whoever else wants the processor has it first.</summary>
internal static partial class QuietThread
{
    /// <summary>A third of the share of an ordinary thread: enough to come to an end also on a machine that is never idle.</summary>
    private const int Nice = 5;

    public static Task<T> RunAsync<T>(Func<T> work)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        new Thread(() =>
        {
            // Of this thread alone: Linux keeps the value by thread, and 0 means the one that asks. It ends with the work, as nobody may
            // take it back.
            _ = SetPriority(0, 0, Nice);
            try
            {
                done.SetResult(work());
            }
            catch (Exception e)
            {
                done.SetException(e); // Whoever waits for the work is told.
            }
        })
        {
            IsBackground = true,
            Name = "quiet",
        }.Start();
        return done.Task;
    }

    [LibraryImport("libc", EntryPoint = "setpriority")]
    private static partial int SetPriority(int which, uint who, int priority);
}
