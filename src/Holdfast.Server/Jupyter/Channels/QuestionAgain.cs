using Holdfast.Engine.Kernels;

namespace Holdfast.Server.Jupyter.Channels;

/// <summary>
/// A pending question that a client which comes back was sent on its last connection. A library that keeps what it was asked would show it
/// twice, and asks for kernel_info before anything else; whoever says something else, or nothing, is asked again.
/// </summary>
internal sealed class QuestionAgain : IDisposable
{
    /// <summary>
    /// Long for a library's first word, short for a person. Too short only shows a question twice, of which one answer counts.
    /// </summary>
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(2);

    private readonly Func<PendingInput?> _current;
    private readonly Action<PendingInput> _offer;
    private readonly ITimer _timer;
    private PendingInput? _question;

    public QuestionAgain(PendingInput question, Func<PendingInput?> current, Action<PendingInput> offer, TimeProvider time)
    {
        (_question, _current, _offer) = (question, current, offer);
        _timer = time.CreateTimer(_ => End(isKnown: false), null, Silence, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Called with the type of each message that the client sends; only the first says anything.</summary>
    public void Hear(ReadOnlySpan<byte> type)
    {
        if (Volatile.Read(ref _question) is not null)
        {
            End(isKnown: type.SequenceEqual("kernel_info_request"u8) || type.SequenceEqual("input_reply"u8));
        }
    }

    public void Dispose() => _timer.Dispose();

    private void End(bool isKnown)
    {
        if (Interlocked.Exchange(ref _question, null) is { } question && !isKnown && _current()?.Position == question.Position)
        {
            _offer(question);
        }
    }
}
