using Holdfast.Server.Cli.Screen;

namespace Holdfast.Server.Cli.Client;

/// <summary>
/// The time without a server, as one verb lives it. Only a verb that has spoken with the server and is patient sits it out: to whoever
/// never reached one, silence for minutes would be no answer.
/// </summary>
internal sealed class Outage(CliContext context)
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);

    /// <summary>A connection that held for so long was one; what breaks it is a new outage, not more of the last.</summary>
    private static readonly TimeSpan Stable = TimeSpan.FromSeconds(5);

    private bool _hadContact;
    private bool _isAnnounced;
    private bool _isReturnAnnounced;
    private long? _openedAt;
    private long _since;
    private TimeSpan _pause;

    public bool IsPatient { get; set; }

    /// <summary>Somebody took the request, even if the connection then broke.</summary>
    public void Met() => _hadContact = true;

    /// <summary>An answer has begun: a server is there, though a server that breaks off every answer gets no further.</summary>
    public void Opened()
    {
        _hadContact = true;
        _openedAt = context.Time.GetTimestamp();
        if (_isAnnounced && !_isReturnAnnounced)
        {
            _isReturnAnnounced = true;
            context.Terminal.WriteErrorLine("holdfast: the server is back");
        }
    }

    /// <summary>An answer was whole, or has brought something.</summary>
    public void Ended()
    {
        if (_isAnnounced || !_hadContact)
        {
            Opened();
        }

        (_isAnnounced, _isReturnAnnounced, _pause) = (false, false, TimeSpan.Zero);
    }

    /// <summary>Waits a little; false when there is no point in trying again.</summary>
    public async Task<bool> EndureAsync(string why, CancellationToken cancellationToken)
    {
        if (!IsPatient || !_hadContact)
        {
            return false;
        }

        if (_openedAt is { } opened && context.Time.GetElapsedTime(opened) > Stable)
        {
            (_isAnnounced, _isReturnAnnounced, _pause) = (false, false, TimeSpan.Zero);
        }

        _openedAt = null;
        if (_pause == TimeSpan.Zero)
        {
            _since = context.Time.GetTimestamp();
            _pause = FirstPause;
        }
        else if (context.Time.GetElapsedTime(_since) > context.Patience)
        {
            return false;
        }

        // Said at the second try only: a server that is restarted in place is back before anyone would read it.
        if (!_isAnnounced && _pause > FirstPause)
        {
            _isAnnounced = true;
            context.Terminal.WriteErrorLine(
                $"holdfast: the server is away ({why}); the work goes on, and this waits up to {Durations.Format(context.Patience)} for it to come back"
            );
        }

        await Task.Delay(_pause, context.Time, cancellationToken).ConfigureAwait(false);
        _pause = _pause * 2 < LongestPause ? _pause * 2 : LongestPause;
        return true;
    }
}
